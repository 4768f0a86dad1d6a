# weir_plugins(folder): an object library of every .cpp below src/<folder>. Each file must register something;
# one that does not is a mistake, found here and not when a user misses it. main.cpp is no plugin.
function(weir_plugins folder)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  foreach(source IN LISTS sources)
    file(STRINGS ${source} registration REGEX "^WEIR_REGISTER\\(" LIMIT_COUNT 1)
    if(NOT registration)
      message(FATAL_ERROR "${source} registers nothing: end it with WEIR_REGISTER(...Spec, spec);")
    endif()
  endforeach()
  weir_objects(${folder} ${sources})
endfunction()

# weir_library(folder): the same for a folder of ordinary sources.
function(weir_library folder)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp)
  weir_objects(${folder} ${sources})
endfunction()

# Object libraries keep the linker from dropping files that only register themselves.
function(weir_objects folder)
  if(NOT ARGN)
    return()
  endif()
  string(REPLACE "/" "_" name weir_${folder})
  add_library(${name} OBJECT ${ARGN})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  weir_warnings(${name})
  target_link_libraries(${name} PUBLIC weir_packages)
  set_property(GLOBAL APPEND PROPERTY WEIR_OBJECTS ${name})
endfunction()
