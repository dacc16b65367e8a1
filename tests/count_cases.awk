# In: the JUnit file of ctest, each test of which is one GoogleTest program's run of one case or one suite.
# Out: "PASSED FAILED SKIPPED", in cases. A run that failed without saying how many (it crashed, or took too long) is one
# failure.
function close_test() {
  if (inside && status == "fail" && !told) failed++
  if (inside && status ~ /^(notrun|disabled)$/) skipped++
  inside = 0
}
/<testcase / {
  close_test()
  inside = 1
  told = 0
  match($0, /status="[a-z]*"/)
  status = substr($0, RSTART + 8, RLENGTH - 9)
}
inside && match($0, /\[  PASSED  \] [0-9]+ test/) { passed += substr($0, RSTART + 13) + 0 }
inside && match($0, /\[  FAILED  \] [0-9]+ test/) { failed += substr($0, RSTART + 13) + 0; told = 1 }
inside && match($0, /\[  SKIPPED \] [0-9]+ test/) { skipped += substr($0, RSTART + 13) + 0 }
END {
  close_test()
  print passed + 0, failed + 0, skipped + 0
}
