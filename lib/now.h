/* now.h - the clock that only goes forward. */
#ifndef NOW_H
#define NOW_H

#include <stdint.h>

int64_t now_ms(void);
int64_t now_us(void);

#endif
