-- expect: policy_memory | policy_timeout
-- Closures, kept.
-- SPDX-License-Identifier: Apache-2.0
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function(req)
      local keep = nil
      while true do
        local before = keep
        keep = function() return before end
      end
    end,
  },
}
