-- expect: policy_timeout
-- A C loop that calls back into Lua.
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
      local t = {}
      for i = 1, 64 do t[i] = i end
      table.sort(t, function() while true do end end)
    end,
  },
}
