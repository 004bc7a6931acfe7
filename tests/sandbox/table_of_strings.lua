-- expect: policy_memory | policy_timeout
-- Many strings, kept.
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
      local t, s = {}, "0123456789abcdef"
      for i = 1, 8 do s = s .. s end
      for i = 1, 1e9 do t[i] = s .. i end
    end,
  },
}
