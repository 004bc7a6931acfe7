--- Trello's REST API. Every call needs both the key of the app and the token of the user.
-- SPDX-License-Identifier: Apache-2.0

return provider "trello" {
  secrets = { TRELLO_API_KEY = "key", TRELLO_TOKEN = "token" },
  auth    = auth.multi_query { key = "{{key}}", token = "{{token}}" },
  hosts   = { "api.trello.com" },

  capability "actions" {
    about   = "Actions on boards and cards, comments among them",
    methods = { "DELETE", "GET", "PUT" },
    paths   = { "/1/actions" },
  },

  capability "batch" {
    about   = "Up to ten GET requests in one",
    methods = { "GET" },
    paths   = { "/1/batch" },
  },

  capability "boards" {
    about   = "Boards, their members and settings",
    methods = { "DELETE", "GET", "POST", "PUT" },
    paths   = { "/1/boards" },
  },

  capability "cards" {
    about   = "Cards, their comments, attachments and labels",
    methods = { "DELETE", "GET", "POST", "PUT" },
    paths   = { "/1/cards" },
  },

  capability "checklists" {
    about   = "Checklists of cards and their items",
    methods = { "DELETE", "GET", "POST", "PUT" },
    paths   = { "/1/checklists" },
  },

  capability "custom-fields" {
    about   = "Custom fields of boards and their options",
    methods = { "DELETE", "GET", "POST", "PUT" },
    paths   = { "/1/customField", "/1/customFields" },
  },

  capability "emoji" {
    about   = "List emoji",
    methods = { "GET" },
    paths   = { "/1/emoji" },
  },

  capability "enterprises" {
    about   = "Read enterprises and their members",
    methods = { "GET" },
    paths   = { "/1/enterprises" },
  },

  capability "labels" {
    about   = "Labels of boards",
    methods = { "DELETE", "GET", "POST", "PUT" },
    paths   = { "/1/labels" },
  },

  capability "lists" {
    about   = "Lists of boards: read, create, move and archive",
    methods = { "GET", "POST", "PUT" },
    paths   = { "/1/lists" },
  },

  capability "members" {
    about   = "Members, their boards, cards and settings",
    methods = { "GET", "PUT" },
    paths   = { "/1/members" },
  },

  capability "notifications" {
    about   = "Notifications: read them and mark them read",
    methods = { "GET", "PUT" },
    paths   = { "/1/notifications" },
  },

  capability "organizations" {
    about   = "Workspaces, their members and boards",
    methods = { "DELETE", "GET", "POST", "PUT" },
    paths   = { "/1/organizations" },
  },

  capability "plugins" {
    about   = "Read Power-Ups",
    methods = { "GET" },
    paths   = { "/1/plugins" },
  },

  capability "search" {
    about   = "Search boards, cards, members and workspaces",
    methods = { "GET" },
    paths   = { "/1/search" },
  },

  capability "tokens" {
    about   = "Describe and revoke a token",
    methods = { "DELETE", "GET" },
    paths   = { "/1/tokens" },
  },

  capability "webhooks" {
    about   = "Webhooks of a token",
    methods = { "DELETE", "GET", "POST", "PUT" },
    paths   = { "/1/webhooks" },
  },
}
