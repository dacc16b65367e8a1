/* The C boundary between the worker and a model plugin. Append-only: new members go to the end of the table, and the
 * worker looks at `size` before it uses them. Everything that crosses is plain C or JSON text, except the model itself,
 * which create() returns as bitsweep::Model* and which is only asked for when the build ids are equal. */
#ifndef BITSWEEP_PLUGIN_ABI_H
#define BITSWEEP_PLUGIN_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Counts up when this table, the class Model or StepContext changes. */
#define BITSWEEP_PLUGIN_ABI 5u
#define BITSWEEP_PLUGIN_ENTRY "bitsweep_plugin_entry"

#ifdef __cplusplus
extern "C" {
#endif

/* Receives a result, or the message of a failure. The text is only valid during the call. */
typedef void (*bitsweep_emit)(void* context, const char* text, size_t bytes);

typedef struct bitsweep_plugin_table {
  uint32_t abi;          /* BITSWEEP_PLUGIN_ABI */
  uint32_t size;         /* sizeof(bitsweep_plugin_table) when the plugin was built */
  const char* name;      /* the same as in plugin.yaml */
  const char* build_id;  /* compiler, C++ ABI, LibTorch: see plugin/build_id.h */
  /* JSON request (plugin/describe.h) to JSON description, without building a tensor. 0; or 2 (the options are bad) or 1
   * (any other failure), with the message emitted. */
  int (*describe)(const char* request_json, bitsweep_emit emit, void* context);
  /* Resolved options (those of a description) plus vocab and context to a new bitsweep::Model*, or NULL with the error
   * emitted. The caller has seeded LibTorch's default generator: the same seed gives the same initial weights. */
  void* (*create)(const char* request_json, bitsweep_emit emit, void* context);
  void (*destroy)(void* model);
} bitsweep_plugin_table;

/* The one symbol a plugin exports. */
const bitsweep_plugin_table* bitsweep_plugin_entry(void);

#ifdef __cplusplus
}
#endif
#endif
