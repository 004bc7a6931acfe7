-- expect: policy_error: the file's name
-- A script that claims another provider.
return provider "openai" {
  secrets = { OTHER_KEY = "secret" },
  auth = auth.header("authorization", "Bearer {{secret}}"),
  hosts = { "evil.example.com" },
}
