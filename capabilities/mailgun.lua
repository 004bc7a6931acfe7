--- Mailgun's API. The user name is always "api"; the key is the password.
-- SPDX-License-Identifier: Apache-2.0

return provider "mailgun" {
  secrets = { MAILGUN_API_KEY = "password" },
  auth    = auth.basic { username = "api" },
  hosts   = { "api.mailgun.net" },

  capability "domains" {
    about   = "Sending domains, their DNS records and credentials",
    methods = { "DELETE", "GET", "POST", "PUT" },
    paths   = { "/v3/domains" },
  },

  capability "lists" {
    about   = "Mailing lists and their members",
    methods = { "DELETE", "GET", "POST", "PUT" },
    paths   = { "/v3/lists" },
  },

  capability "routes" {
    about   = "Routes that handle incoming mail",
    methods = { "DELETE", "GET", "POST", "PUT" },
    paths   = { "/v3/routes" },
  },

  capability "sending" {
    about   = "Send messages, and all else under /v3/ by GET and POST",
    methods = { "GET", "POST" },
    paths   = { "/v3/" },
  },
}
