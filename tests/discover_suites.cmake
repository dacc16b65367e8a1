# Read by ctest: a test for each suite of PROGRAM, named PREFIX.Suite, so that LibTorch is loaded once a suite (0.3 s) and
# not once a case. Defines bitsweep_discover_suites(PREFIX PROGRAM).
function(bitsweep_discover_suites PREFIX PROGRAM)
  execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE listed RESULT_VARIABLE rc)
  if(NOT rc EQUAL 0)
    add_test(${PREFIX}.NotBuilt ${PROGRAM} --gtest_list_tests)  # fails, saying why
    return()
  endif()
  string(REGEX MATCHALL "[^\n]+" lines "${listed}")
  foreach(line IN LISTS lines)
    if(line MATCHES "^([A-Za-z_][A-Za-z0-9_/]*)\\.")
      set(suite ${CMAKE_MATCH_1})
      if(NOT suite MATCHES "(^|/)DISABLED_")
        add_test(${PREFIX}.${suite} ${PROGRAM} --gtest_filter=${suite}.*)
      endif()
    endif()
  endforeach()
endfunction()
