/* Included before every file, but only by scripts/lint/tidy: tells the analyser in a few words what
 * it cannot see from one file, so that it does not warn of what cannot happen. */
#ifndef SCRIPTS_LINT_TIDY_H
#define SCRIPTS_LINT_TIDY_H

#include <CUnit/CUnit.h>
#include <CUnit/TestDB.h>
#include <CUnit/TestRun.h>
#include <cjson/cJSON.h>
#include <sys/queue.h>

/* NULL is no JSON value. */
#define cJSON_IsString(item) ((item) && (cJSON_IsString)(item))
#define cJSON_IsNumber(item) ((item) && (cJSON_IsNumber)(item))
#define cJSON_IsObject(item) ((item) && (cJSON_IsObject)(item))
#define cJSON_IsArray(item) ((item) && (cJSON_IsArray)(item))
#define cJSON_IsBool(item) ((item) && (cJSON_IsBool)(item))
#define cJSON_IsTrue(item) ((item) && (cJSON_IsTrue)(item))

/* A fatal assertion that fails does not come back. */
#undef CU_ASSERT_FATAL
#define CU_ASSERT_FATAL(value) ((value) ? (void)0 : __builtin_trap())
#undef CU_FAIL_FATAL
#define CU_FAIL_FATAL(text) __builtin_trap()
#undef CU_ASSERT_TRUE_FATAL
#define CU_ASSERT_TRUE_FATAL(value) CU_ASSERT_FATAL(value)
#undef CU_ASSERT_EQUAL_FATAL
#define CU_ASSERT_EQUAL_FATAL(actual, expected) CU_ASSERT_FATAL((actual) == (expected))
#undef CU_ASSERT_PTR_NOT_NULL_FATAL
#define CU_ASSERT_PTR_NOT_NULL_FATAL(value) CU_ASSERT_FATAL((const void *)(value) != NULL)

/* What is removed from a list is not its first element any more: any change of a list leaves the
 * analyser with no opinion of it. */
void tidy_forget(void *head, void *element);
#undef TAILQ_REMOVE
#define TAILQ_REMOVE(head, element, field) tidy_forget((head), (element))
#undef TAILQ_INSERT_TAIL
#define TAILQ_INSERT_TAIL(head, element, field) tidy_forget((head), (element))
#undef TAILQ_INSERT_HEAD
#define TAILQ_INSERT_HEAD(head, element, field) tidy_forget((head), (element))
#undef STAILQ_REMOVE_HEAD
#define STAILQ_REMOVE_HEAD(head, field) tidy_forget((head), NULL)
#undef SLIST_REMOVE_HEAD
#define SLIST_REMOVE_HEAD(head, field) tidy_forget((head), NULL)

#endif
