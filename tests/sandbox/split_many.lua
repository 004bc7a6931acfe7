-- expect: policy_error | policy_memory | policy_timeout
-- A split into a million parts.
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
      local s = ","
      for _ = 1, 20 do s = s .. s end
      return deny(#text.split(s, ","))
    end,
  },
}
