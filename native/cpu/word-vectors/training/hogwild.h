// Hogwild (Niu, Recht, Ré and Wright 2011): threads change the rows of one model without locks. A step may
// read a row that another thread is half through with, or overwrite its update; since steps are many and
// small and rows mostly differ, that costs no quality. Rows are aligned floats, which every processor here
// loads and stores whole. ThreadSanitizer is told of exactly these accesses: while a HogwildRows exists, the
// thread's loads and stores are not watched; it lives around a step's kernels and around looks at a row, and
// nothing else. One thread alone has no races and opens none.
#pragma once

#if defined(__SANITIZE_THREAD__)
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);
#endif

namespace bertha::cpu {

class HogwildRows {
public:
    explicit HogwildRows(bool shared) : shared_(shared) {
#if defined(__SANITIZE_THREAD__)
        if (shared_) {
            AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
            AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
        }
#endif
    }
    ~HogwildRows() {
#if defined(__SANITIZE_THREAD__)
        if (shared_) {
            AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
            AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
        }
#endif
    }
    HogwildRows(const HogwildRows&) = delete;
    HogwildRows& operator=(const HogwildRows&) = delete;

private:
    [[maybe_unused]] const bool shared_;  // for ThreadSanitizer alone
};

}  // namespace bertha::cpu
