-- expect: policy_error: run time
-- A loop while the script is loaded.
while true do end
