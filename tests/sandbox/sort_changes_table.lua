-- expect: policy_error | allow
-- An order function that empties the table.
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
      table.sort(t, function(a, b)
        for i = 1, #t do t[i] = nil end
        return a < b
      end)
      return allow()
    end,
  },
}
