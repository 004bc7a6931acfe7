-- expect: policy_error | policy_timeout | policy_denied
-- A glob with many stars over a long text.
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
      local s, p = "a", ""
      for _ = 1, 16 do s = s .. s end
      for _ = 1, 80 do p = p .. "*a" end
      for _ = 1, 1e6 do match.glob(s, p .. "b") end
      return deny("through")
    end,
  },
}
