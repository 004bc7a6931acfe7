--- Anthropic's API: Claude's messages and models.
-- SPDX-License-Identifier: Apache-2.0

return provider "anthropic" {
  secrets = { ANTHROPIC_API_KEY = "secret" },
  auth    = auth.header("x-api-key", "{{secret}}"),
  hosts   = { "api.anthropic.com" },

  capability "messages" {
    about   = "Create messages, count their tokens and run batches of them",
    methods = { "GET", "POST" },
    paths   = { "/v1/messages" },
  },

  capability "models" {
    about   = "List and describe models",
    methods = { "GET" },
    paths   = { "/v1/models" },
  },
}
