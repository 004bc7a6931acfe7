-- expect: policy_error
-- More charges than a verdict holds.
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
      for i = 1, 100 do counter.add("k" .. i, 1, 60) end
      return allow()
    end,
  },
}
