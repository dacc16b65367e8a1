# Targets for what has none of its own under one name in every version we accept. Read by our own build and, installed,
# by find_package(bitsweep); after find_package(yaml-cpp).
if(NOT TARGET nettle)
  find_library(NETTLE_LIBRARY nettle REQUIRED)
  find_path(NETTLE_INCLUDE_DIR nettle/sha2.h REQUIRED)
  add_library(nettle INTERFACE IMPORTED GLOBAL)
  target_link_libraries(nettle INTERFACE ${NETTLE_LIBRARY})
  target_include_directories(nettle INTERFACE ${NETTLE_INCLUDE_DIR})
endif()
if(NOT TARGET yaml-cpp)  # 0.8 and later
  add_library(yaml-cpp INTERFACE IMPORTED GLOBAL)
  target_link_libraries(yaml-cpp INTERFACE yaml-cpp::yaml-cpp)
endif()
