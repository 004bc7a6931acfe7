-- expect: policy_timeout | allow
-- An order function that contradicts itself.
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
      for i = 1, 200 do t[i] = i end
      table.sort(t, function() return true end)
      return allow()
    end,
  },
}
