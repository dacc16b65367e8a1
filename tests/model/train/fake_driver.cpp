// A driver library with two GPUs, of which only the names can be asked.
extern "C" {
int cuInit(unsigned) { return 0; }
int cuDeviceGet(int* device, int position) {
  *device = position + 10;
  return position < 2 ? 0 : 101;
}
int cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
  for (int i = 0; i < 16; ++i) uuid[i] = static_cast<unsigned char>(16 * i + device - 10);
  return 0;
}
}
