-- expect: policy_error
-- A line break in a header that a verdict sets.
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
      return allow { set_headers = { accept = "a\r\nauthorization: Bearer x" } }
    end,
  },
}
