--- Slack's Web API. A method is a path like /api/chat.postMessage, so the prefixes end in a dot.
-- SPDX-License-Identifier: Apache-2.0

return provider "slack" {
  secrets = { SLACK_BOT_TOKEN = "secret" },
  auth    = auth.header("authorization", "Bearer {{secret}}"),
  hosts   = { "slack.com" },

  capability "admin" {
    about   = "Administer an Enterprise organization",
    methods = { "GET", "POST" },
    paths   = { "/api/admin." },
  },

  capability "api" {
    about   = "Test the connection to the API",
    methods = { "GET", "POST" },
    paths   = { "/api/api." },
  },

  capability "apps" {
    about   = "Apps: their permissions, manifests and event authorizations",
    methods = { "GET", "POST" },
    paths   = { "/api/apps." },
  },

  capability "auth" {
    about   = "Who the token belongs to; revoke it",
    methods = { "GET", "POST" },
    paths   = { "/api/auth." },
  },

  capability "bookmarks" {
    about   = "Bookmarks of a channel",
    methods = { "GET", "POST" },
    paths   = { "/api/bookmarks." },
  },

  capability "calls" {
    about   = "Calls of third parties and who takes part",
    methods = { "GET", "POST" },
    paths   = { "/api/calls." },
  },

  capability "chat" {
    about   = "Post, schedule, change and delete messages",
    methods = { "POST" },
    paths   = { "/api/chat." },
  },

  capability "conversations" {
    about   = "Channels and direct messages: history, members, settings",
    methods = { "GET", "POST" },
    paths   = { "/api/conversations." },
  },

  capability "dialog" {
    about   = "Open a dialog",
    methods = { "POST" },
    paths   = { "/api/dialog." },
  },

  capability "emoji" {
    about   = "List custom emoji",
    methods = { "GET", "POST" },
    paths   = { "/api/emoji." },
  },

  capability "files" {
    about   = "Upload, list, share and delete files",
    methods = { "GET", "POST" },
    paths   = { "/api/files." },
  },

  capability "pins" {
    about   = "Pin, list and unpin items of a channel",
    methods = { "GET", "POST" },
    paths   = { "/api/pins." },
  },

  capability "reactions" {
    about   = "Reactions to messages and files",
    methods = { "GET", "POST" },
    paths   = { "/api/reactions." },
  },

  capability "reminders" {
    about   = "Create, complete, list and delete reminders",
    methods = { "GET", "POST" },
    paths   = { "/api/reminders." },
  },

  capability "search" {
    about   = "Search messages and files",
    methods = { "POST" },
    paths   = { "/api/search." },
  },

  capability "stars" {
    about   = "Items that the user saved for later",
    methods = { "GET", "POST" },
    paths   = { "/api/stars." },
  },

  capability "team" {
    about   = "The workspace: its profile, logs and integrations",
    methods = { "GET", "POST" },
    paths   = { "/api/team." },
  },

  capability "usergroups" {
    about   = "Groups of users and their members",
    methods = { "GET", "POST" },
    paths   = { "/api/usergroups." },
  },

  capability "users" {
    about   = "Users: profiles, presence and the list of them",
    methods = { "GET", "POST" },
    paths   = { "/api/users." },
  },

  capability "views" {
    about   = "Open, publish, push and update views",
    methods = { "POST" },
    paths   = { "/api/views." },
  },

  capability "workflow" {
    about   = "Steps of workflows",
    methods = { "POST" },
    paths   = { "/api/workflow." },
  },
}
