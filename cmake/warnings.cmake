# weir_warnings(target): the project's warnings, as errors with WEIR_WERROR.
function(weir_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
    -Wimplicit-fallthrough -Wdouble-promotion
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
    -Wno-missing-field-initializers  # designated initialisers leave members at their defaults on purpose
    $<$<BOOL:${WEIR_WERROR}>:-Werror>)
endfunction()
