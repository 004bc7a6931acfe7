-- expect: policy_error
-- A table whose border is the largest integer: there is no place behind it.
-- SPDX-License-Identifier: Apache-2.0
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function()
      local t = {}
      for k = 0, 62 do
        t[1 << k] = 0
      end
      t[math.maxinteger], t[3], t[5] = 0, 0, 0
      assert(#t == math.maxinteger)
      table.insert(t, 0)
      return allow()
    end,
  },
}
