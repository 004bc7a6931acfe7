-- expect: policy_error
-- A format that is too long to be one.
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
      local f = "%%"
      for _ = 1, 12 do f = f .. f end
      return deny(string.format(f))
    end,
  },
}
