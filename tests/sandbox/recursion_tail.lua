-- expect: policy_timeout
-- Tail calls without an end.
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function(req)
      local function f() return f() end
      return f()
    end,
  },
}
