/* Labels texts with an exported classifier: TensorFlow's C API, no Python.
 *
 *     predict EXPORT/raw_strings WORDPIECE.so < texts.txt
 *
 * EXPORT is what export_model.py wrote. WORDPIECE.so is the one operation of
 * its raw_strings/ that TensorFlow lacks: tensorflow_text's
 * python/ops/_fast_wordpiece_tokenizer.so. A line of standard input is a text;
 * for each, a line with the probability of each label of assets/labels.txt.
 * docs/serving.md says how to build it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

static void fail(const char* what, const char* why) {
  fprintf(stderr, "error: %s: %s\n", what, why);
  exit(1);
}

static void check(TF_Status* status, const char* what) {
  if (TF_GetCode(status) != TF_OK) fail(what, TF_Message(status));
}

/* A part of a message of protocol buffers. */
typedef struct {
  const uint8_t* at;
  const uint8_t* end;
} Bytes;

static uint64_t read_varint(Bytes* bytes) {
  uint64_t value = 0;
  for (int shift = 0; bytes->at < bytes->end && shift < 64; shift += 7) {
    uint8_t byte = *bytes->at++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

/* Finds the next field of this number that has a length; 0: there is none. */
static int next_field(Bytes* message, uint32_t number, Bytes* found) {
  while (message->at < message->end) {
    uint64_t tag = read_varint(message);
    uint64_t length = 0;
    switch (tag & 7) {
      case 0: read_varint(message); break;
      case 1: length = 8; break;
      case 2: length = read_varint(message); break;
      case 5: length = 4; break;
      default: return 0;
    }
    if (length > (uint64_t)(message->end - message->at)) return 0;
    found->at = message->at;
    found->end = message->at += length;
    if ((tag & 7) == 2 && tag >> 3 == number) return 1;
  }
  return 0;
}

/* Finds the value of a key in a map, which is a repeated field. */
static Bytes value_of(Bytes message, uint32_t map, const char* wanted) {
  Bytes entry, key, value;
  while (next_field(&message, map, &entry)) {
    Bytes again = entry;
    if (next_field(&entry, 1, &key) && next_field(&again, 2, &value) &&
        (size_t)(key.end - key.at) == strlen(wanted) &&
        memcmp(key.at, wanted, strlen(wanted)) == 0) {
      return value;
    }
  }
  fail(wanted, "the model's signature serving_default has none");
  exit(1);
}

enum { kSignatures = 5, kInputs = 1, kOutputs = 2 };

/* Returns the tensor that the signature has under a name. */
static TF_Output find_tensor(TF_Graph* graph, const TF_Buffer* meta_graph,
                             uint32_t side, const char* name) {
  Bytes all = {meta_graph->data,
               (const uint8_t*)meta_graph->data + meta_graph->length};
  Bytes signature = value_of(all, kSignatures, "serving_default");
  Bytes info = value_of(signature, side, name), tensor;
  char text[256];
  if (!next_field(&info, 1, &tensor) ||
      tensor.end - tensor.at >= (long)sizeof text) {
    fail(name, "its tensor has no name");
  }
  size_t length = (size_t)(tensor.end - tensor.at);
  memcpy(text, tensor.at, length);
  text[length] = '\0';
  char* colon = strrchr(text, ':');
  if (colon == NULL) fail(text, "expected NAME:NUMBER");
  *colon = '\0';
  TF_Output found = {TF_GraphOperationByName(graph, text), atoi(colon + 1)};
  if (found.oper == NULL) fail(text, "the graph has no such operation");
  return found;
}

static void free_text(void* data, size_t length, void* unused) {
  (void)length;
  (void)unused;
  TF_StringDealloc(data);
  free(data);
}

/* Returns a string tensor [1]. */
static TF_Tensor* text_tensor(const char* text, size_t length) {
  TF_TString* string = malloc(sizeof *string);
  if (string == NULL) fail("memory", "there is none left");
  TF_StringInit(string);
  TF_StringCopy(string, text, length);
  int64_t shape[] = {1};
  return TF_NewTensor(TF_STRING, shape, 1, string, sizeof *string, free_text,
                      NULL);
}

int main(int argc, char** argv) {
  if (argc != 3) fail("usage", "predict EXPORT/raw_strings WORDPIECE.so");
  TF_Status* status = TF_NewStatus();
  TF_Library* library = TF_LoadLibrary(argv[2], status);
  check(status, argv[2]);
  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Buffer* meta_graph = TF_NewBuffer();
  const char* tags[] = {"serve"};
  TF_Session* session = TF_LoadSessionFromSavedModel(
      options, NULL, argv[1], tags, 1, graph, meta_graph, status);
  check(status, argv[1]);
  TF_Output text = find_tensor(graph, meta_graph, kInputs, "text");
  TF_Output wanted = find_tensor(graph, meta_graph, kOutputs, "probabilities");

  char* line = NULL;
  size_t size = 0;
  ssize_t length;
  while ((length = getline(&line, &size, stdin)) >= 0) {
    if (length > 0 && line[length - 1] == '\n') length--;
    TF_Tensor* input = text_tensor(line, (size_t)length);
    TF_Tensor* output = NULL;
    TF_SessionRun(session, NULL, &text, &input, 1, &wanted, &output, 1, NULL, 0,
                  NULL, status);
    check(status, "the model");
    const float* probabilities = TF_TensorData(output);
    int64_t labels = TF_Dim(output, 1);
    for (int64_t i = 0; i < labels; i++) {
      printf("%.9g%c", probabilities[i], i + 1 < labels ? ' ' : '\n');
    }
    fflush(stdout);
    TF_DeleteTensor(input);
    TF_DeleteTensor(output);
  }
  free(line);
  TF_CloseSession(session, status);
  TF_DeleteSession(session, status);
  TF_DeleteBuffer(meta_graph);
  TF_DeleteSessionOptions(options);
  TF_DeleteGraph(graph);
  TF_DeleteLibraryHandle(library);
  TF_DeleteStatus(status);
  return 0;
}
