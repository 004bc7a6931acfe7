--- Google's Gemini API. The key travels in the query, so it is cut from every log and answer.
-- SPDX-License-Identifier: Apache-2.0

return provider "gemini" {
  secrets = { GEMINI_API_KEY = "secret" },
  auth    = auth.query("key"),
  hosts   = { "generativelanguage.googleapis.com" },

  capability "batches" {
    about   = "Batches of requests: list, watch, cancel and delete them",
    methods = { "DELETE", "GET", "PATCH", "POST" },
    paths   = { "/v1beta/batches" },
  },

  capability "cached-content" {
    about   = "Content that is cached for use in many prompts",
    methods = { "DELETE", "GET", "PATCH", "POST" },
    paths   = { "/v1beta/cachedContents" },
  },

  capability "corpora" {
    about   = "Corpora for semantic retrieval, and who may use them",
    methods = { "DELETE", "GET", "PATCH", "POST" },
    paths   = { "/v1beta/corpora" },
  },

  capability "file-search" {
    about   = "Stores of files that a model can search; upload to them",
    methods = { "DELETE", "GET", "POST" },
    paths   = { "/upload/v1beta/fileSearchStores", "/v1beta/fileSearchStores" },
  },

  capability "files" {
    about   = "Upload, list, describe and delete files",
    methods = { "DELETE", "GET", "POST" },
    paths   = { "/upload/v1beta/files", "/v1beta/files" },
  },

  capability "generated-files" {
    about   = "Files that a model has made",
    methods = { "GET" },
    paths   = { "/v1beta/generatedFiles" },
  },

  capability "models" {
    about   = "List models, generate and stream content, embed, count tokens",
    methods = { "GET", "POST" },
    paths   = { "/v1/models", "/v1beta/models" },
  },

  capability "tuned-models" {
    about   = "Tuned models and who may use them",
    methods = { "DELETE", "GET", "PATCH", "POST" },
    paths   = { "/v1beta/tunedModels" },
  },
}
