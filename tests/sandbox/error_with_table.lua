-- expect: policy_error
-- An error that is no text.
return provider "hostile" {
  secrets = { HOSTILE_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "api.example.com" },
  capability "x" {
    methods = { "POST" },
    paths = { "/" },
    inspect = "json",
    check = function(req)
      error({ reason = "allow" })
    end,
  },
}
