/* ${summary}
   Characters are those of Unicode ${unicode}. See the header for how to use it. */
#include "${name}.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

