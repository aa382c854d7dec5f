/*
 * Calls that are easy to get wrong are compile errors everywhere. This header and config.h come
 * before every file (-include), so neither needs an #include.
 *  - strcpy, strcat, sprintf have no bound: g_strlcpy, snprintf, g_strdup_printf, GString
 *  - strncpy makes no terminator: g_strlcpy
 *  - strtok has hidden state: strtok_r, g_strsplit
 *  - atoi, atol, atof see no errors: option_u64 and friends (base/option.h)
 *  - gmtime, localtime, ctime, asctime have static buffers: gmtime_r, localtime_r, GDateTime
 */
#ifndef BANNED_H
#define BANNED_H

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#undef strcat
#undef strncpy
#undef sprintf
#undef vsprintf
#undef gets
#pragma GCC poison strcpy strcat strncpy sprintf vsprintf gets strtok atoi atol atoll atof
#pragma GCC poison gmtime localtime ctime asctime

#endif
