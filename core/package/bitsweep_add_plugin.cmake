# bitsweep_add_plugin(NAME SOURCES FILE…): the shared object NAME.so beside a copy of this folder's plugin.yaml, in
# plugins/NAME below the build folder, as the target plugin_NAME. Our own plugins and those outside this tree are built
# by this one function. `cmake --install` puts it where an installed bitsweep below the same prefix finds it by name.
function(bitsweep_add_plugin NAME)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES")
  if(NOT ARG_SOURCES OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "bitsweep_add_plugin(${NAME} SOURCES FILE…): got '${ARGN}'")
  endif()
  set(target plugin_${NAME})
  add_library(${target} MODULE ${ARG_SOURCES})
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_libraries(${target} PRIVATE bitsweep::nn bitsweep::plugin)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${NAME} CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins/${NAME}"
    INSTALL_RPATH "$ORIGIN/../../..;${BITSWEEP_TORCH_RPATH}")
  configure_file(plugin.yaml "${CMAKE_BINARY_DIR}/plugins/${NAME}/plugin.yaml" COPYONLY)
  install(TARGETS ${target} LIBRARY DESTINATION lib/bitsweep/plugins/${NAME})
  install(FILES plugin.yaml DESTINATION lib/bitsweep/plugins/${NAME})
endfunction()
