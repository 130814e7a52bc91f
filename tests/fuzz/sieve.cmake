add_library(sieve_test_support STATIC
  ${CMAKE_SOURCE_DIR}/tests/unit/sieve/fake_host.cpp
  ${CMAKE_SOURCE_DIR}/tests/unit/sieve/invariants.cpp
  ${CMAKE_SOURCE_DIR}/tests/unit/sieve/random_script.cpp)
target_link_libraries(sieve_test_support PUBLIC postern_sieve)
foreach(target script run grammar)
  postern_fuzz(sieve_${target} ${CMAKE_SOURCE_DIR}/tests/fuzz/sieve_${target}_fuzz.cpp
    USES sieve_test_support)
endforeach()

# Random scripts over messages; by hand over more of them.
add_executable(sieve_random ${CMAKE_SOURCE_DIR}/tests/fuzz/sieve_random.cpp)
target_link_libraries(sieve_random PRIVATE sieve_test_support)
if(NOT POSTERN_FUZZ)
  add_test(NAME fuzz.sieve_random COMMAND sieve_random ${CMAKE_SOURCE_DIR}/tests/corpus 120)
  set_tests_properties(fuzz.sieve_random PROPERTIES LABELS fuzz)
endif()
