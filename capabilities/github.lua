--- GitHub's REST and GraphQL API.
-- SPDX-License-Identifier: Apache-2.0

return provider "github" {
  secrets = { GITHUB_TOKEN = "secret" },
  auth    = auth.header("authorization", "Bearer {{secret}}"),
  hosts   = { "api.github.com" },

  capability "gists" {
    about   = "Gists: read, create, change, star and delete them",
    methods = { "DELETE", "GET", "PATCH", "POST" },
    paths   = { "/gists" },
  },

  capability "graphql" {
    about   = "GraphQL: any query or mutation that the token permits",
    methods = { "POST" },
    paths   = { "/graphql" },
  },

  capability "issues" {
    about   = "Issues assigned to the user, over all repositories",
    methods = { "GET" },
    paths   = { "/issues" },
  },

  capability "meta" {
    about   = "Emojis, gitignore templates, licenses, addresses and rate limits",
    methods = { "GET" },
    paths   = { "/emojis", "/gitignore", "/licenses", "/meta", "/rate_limit" },
  },

  capability "notifications" {
    about   = "Notifications: list them, mark them read or done",
    methods = { "DELETE", "GET", "PATCH", "PUT" },
    paths   = { "/notifications" },
  },

  capability "orgs" {
    about   = "Organizations: members, teams, webhooks and settings",
    methods = { "DELETE", "GET", "PATCH", "POST", "PUT" },
    paths   = { "/organizations", "/orgs" },
  },

  capability "repos" {
    about   = "Repositories: contents, issues, pull requests, actions and settings",
    methods = { "DELETE", "GET", "PATCH", "POST", "PUT" },
    paths   = { "/repos" },
  },

  capability "search" {
    about   = "Search code, commits, issues, repositories and users",
    methods = { "GET" },
    paths   = { "/search" },
  },

  capability "users" {
    about   = "Profiles, followers, keys and what belongs to a user",
    methods = { "GET" },
    paths   = { "/user", "/users" },
  },
}
