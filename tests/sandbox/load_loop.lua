-- expect: policy_error: run time
-- A loop while the script is loaded.
-- SPDX-License-Identifier: Apache-2.0
while true do end
