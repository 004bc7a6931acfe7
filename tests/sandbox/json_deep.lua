-- expect: policy_error
-- JSON deeper than 64 levels.
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
      local s = "["
      for _ = 1, 10 do s = s .. s end
      json.decode(s)
      return allow()
    end,
  },
}
