-- expect: policy_memory | policy_timeout
-- A table that grows until memory ends.
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
      local t, i = {}, 0
      while true do
        i = i + 1
        t[i] = { i, i, i, i, i, i, i, i, i, i, i, i, i, i, i, i }
      end
    end,
  },
}
