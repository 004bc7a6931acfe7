--- OpenAI's API, and the Codex endpoints that a ChatGPT login opens.
-- SPDX-License-Identifier: Apache-2.0

local codex_auth = auth.multi_header {
  ["authorization"] = "Bearer {{access_token}}",
  ["chatgpt-account-id"] = "{{account_id}}",
}

return provider "openai" {
  secrets = { OPENAI_API_KEY = "secret" },
  auth    = auth.header("authorization", "Bearer {{secret}}"),
  hosts   = { "api.openai.com" },

  alternative "codex-oauth" {
    secrets      = { CODEX_OAUTH_JSON = "oauth" },
    auth         = codex_auth,
    hosts        = { "chatgpt.com" },
    path_prefix  = "/backend-api/codex",
    priority     = 100,
    capabilities = { "codex-responses", "codex-realtime" },
  },

  alternative "codex-oauth-usage" {
    secrets      = { CODEX_OAUTH_JSON = "oauth" },
    auth         = codex_auth,
    hosts        = { "chatgpt.com" },
    path_prefix  = "/backend-api",
    priority     = 100,
    capabilities = { "codex-usage" },
  },

  capability "assistants" {
    about   = "Assistants, threads, messages and runs",
    methods = { "DELETE", "GET", "POST" },
    paths   = { "/v1/assistants", "/v1/threads" },
  },

  capability "batch" {
    about   = "Batches of requests that run within a day",
    methods = { "GET", "POST" },
    paths   = { "/v1/batches" },
  },

  capability "chat-completions" {
    about   = "Chat completions, and the stored ones",
    methods = { "GET", "POST" },
    paths   = { "/v1/chat/completions" },
  },

  capability "codex-realtime" {
    about   = "Codex: start a realtime call, with a ChatGPT login",
    hosts   = { "chatgpt.com" },
    methods = { "POST" },
    paths   = { "/realtime/calls" },
  },

  capability "codex-responses" {
    about   = "Codex: model responses, with a ChatGPT login",
    hosts   = { "chatgpt.com" },
    methods = { "POST" },
    paths   = { "/responses" },
  },

  capability "codex-usage" {
    about   = "Codex: what the ChatGPT plan has used",
    hosts   = { "chatgpt.com" },
    methods = { "GET" },
    paths   = { "/wham/usage" },
  },

  capability "embeddings" {
    about   = "Turn text into vectors",
    methods = { "POST" },
    paths   = { "/v1/embeddings" },
  },

  capability "files" {
    about   = "Upload, list, read and delete files",
    methods = { "DELETE", "GET", "POST" },
    paths   = { "/v1/files" },
  },

  capability "fine-tuning" {
    about   = "Fine-tuning jobs, checkpoints and their permissions",
    methods = { "DELETE", "GET", "POST" },
    paths   = { "/v1/fine_tuning" },
  },

  capability "image-generation" {
    about   = "Create, edit and vary images",
    methods = { "POST" },
    paths   = { "/v1/images" },
  },

  capability "models" {
    about   = "List and describe models; delete a fine-tuned one",
    methods = { "DELETE", "GET" },
    paths   = { "/v1/models" },
  },

  capability "moderation" {
    about   = "Classify text and images as harmful or not",
    methods = { "POST" },
    paths   = { "/v1/moderations" },
  },

  capability "realtime" {
    about   = "Realtime sessions and calls",
    methods = { "GET", "POST" },
    paths   = { "/v1/realtime" },
  },

  capability "responses" {
    about   = "Model responses, and the stored ones",
    methods = { "DELETE", "GET", "POST" },
    paths   = { "/v1/responses" },
  },

  capability "speech" {
    about   = "Text to speech",
    methods = { "POST" },
    paths   = { "/v1/audio/speech" },
  },

  capability "transcription" {
    about   = "Speech to text",
    methods = { "POST" },
    paths   = { "/v1/audio/transcriptions" },
  },

  capability "translation" {
    about   = "Speech in any language to English text",
    methods = { "POST" },
    paths   = { "/v1/audio/translations" },
  },

  capability "uploads" {
    about   = "Upload a large file in parts",
    methods = { "POST" },
    paths   = { "/v1/uploads" },
  },

  capability "vector-stores" {
    about   = "Vector stores and the files in them",
    methods = { "DELETE", "GET", "POST" },
    paths   = { "/v1/vector_stores" },
  },

  capability "videos" {
    about   = "Create, remix, fetch and delete videos",
    methods = { "DELETE", "GET", "POST" },
    paths   = { "/v1/videos" },
  },
}
