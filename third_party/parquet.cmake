# Arrow's C++ libraries as our own imported targets, where they are: of them the optional helper bitsweep-parquet is made,
# and nothing else. In: BITSWEEP_PARQUET, a folder with include/ and lib/. Out: bitsweep_arrow, or no such target.
set(bitsweep_parquet_fetched "${CMAKE_CURRENT_SOURCE_DIR}/parquet")
set(BITSWEEP_PARQUET "${bitsweep_parquet_fetched}" CACHE PATH "Arrow and Parquet: a folder with include/ and lib/")
if(NOT BITSWEEP_WITH_PARQUET)
  return()
endif()
# A build looks again, so that it makes the helper when get-parquet has been.
file(GLOB bitsweep_parquet_found CONFIGURE_DEPENDS "${BITSWEEP_PARQUET}/lib/libparquet.so")
if(NOT bitsweep_parquet_found)
  if(NOT BITSWEEP_PARQUET STREQUAL bitsweep_parquet_fetched)
    message(FATAL_ERROR "No lib/libparquet.so in BITSWEEP_PARQUET=${BITSWEEP_PARQUET}: name a folder with include/ and "
      "lib/ of Arrow and Parquet, or configure without, and third_party/get-parquet fetches them.")
  endif()
  message(STATUS "bitsweep-parquet is not built: third_party/get-parquet fetches its libraries")
  return()
endif()
foreach(library arrow parquet)
  add_library(bitsweep_lib${library} SHARED IMPORTED GLOBAL)
  set_target_properties(bitsweep_lib${library} PROPERTIES IMPORTED_LOCATION "${BITSWEEP_PARQUET}/lib/lib${library}.so")
endforeach()
add_library(bitsweep_arrow INTERFACE IMPORTED GLOBAL)
target_include_directories(bitsweep_arrow SYSTEM INTERFACE "${BITSWEEP_PARQUET}/include")
target_link_libraries(bitsweep_arrow INTERFACE bitsweep_libparquet bitsweep_libarrow)
