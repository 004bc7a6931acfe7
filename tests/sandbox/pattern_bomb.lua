-- expect: policy_error
-- A pattern that backtracks for ever.
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
      local s = "a"
      for _ = 1, 10 do s = s .. s end
      return s:find(".-.-.-.-.-.-.-.-b") and allow() or allow()
    end,
  },
}
