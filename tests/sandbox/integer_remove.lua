-- expect: policy_error
-- The same, taking away what lies behind its end.
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
      table.remove(t, math.mininteger)
      return allow()
    end,
  },
}
