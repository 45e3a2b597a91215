/*
 * Functions that do not compile in Warren, because each of them has a safer
 * neighbour. The build includes this header before the first line of every
 * source file, after config.h (see AM_CPPFLAGS); nobody includes it by hand.
 *
 * The headers that declare these functions come first: a name is poisoned only
 * once it has been declared.
 *
 *   strcpy, strcat, strncpy, strncat, sprintf, vsprintf, stpcpy  -> snprintf, memcpy, struct buf
 *   gets, strtok                              -> fgets or getline, strtok_r
 *   gmtime, localtime, ctime, asctime (+_r of the last two)  -> gmtime_r, strftime
 *   atoi, atol, atoll, atof                   -> strtoll and its errors
 *   alloca                                    -> a bounded array, or malloc
 *   rand, srand, random, srandom              -> the injected clock's random64
 */
#ifndef COMMON_BASE_BANNED_H
#define COMMON_BASE_BANNED_H

#include <alloca.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Some libraries declare these as macros too. */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef stpcpy
#undef sprintf
#undef vsprintf
#undef alloca
#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf alloca
#pragma GCC poison gets strtok tmpnam mktemp
#pragma GCC poison gmtime localtime ctime asctime ctime_r asctime_r
#pragma GCC poison atoi atol atoll atof

/* Foreign headers use these words for parameters: only a call is refused. */
#define rand() rand_is_banned_use_the_clocks_random64
#define random() random_is_banned_use_the_clocks_random64
#define srand(seed) srand_is_banned_use_the_clocks_random64
#define srandom(seed) srandom_is_banned_use_the_clocks_random64

#endif
