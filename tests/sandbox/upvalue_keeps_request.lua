-- expect: policy_error
-- Keeping the request for the next call.
-- SPDX-License-Identifier: Apache-2.0
local kept
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function(req)
      kept = kept or req
      return kept.path and allow()
    end,
  },
}
