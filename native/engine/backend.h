// The seam between the engine and the devices. A backend turns a program and its weights into a LoadedModel,
// which runs packed batches. Everything is fp32 at this seam; what happens inside is the backend's business.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/batch.h"
#include "engine/pool/team.h"
#include "engine/program/program.h"

namespace bertha {

// Rows of one weight, for as long as it exists. read() fills dst with one row in fp32 [cols], whatever is
// there by now; throws IO. One thread at a time.
class RowSource {
public:
    virtual ~RowSource() = default;
    virtual void read(int64_t row, float* dst) = 0;
};

// Hands out weights at load time. read() fills dst with the weight's rows row_begin .. row_end, converted to
// fp32 [rows, cols]; it throws IO, NON_FINITE, …; safe to call from several threads.
class WeightSource {
public:
    virtual ~WeightSource() = default;
    virtual void read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) = 0;
    // To be called after the last read, before what was read is shared or stored. Throws IO when the rows may
    // be of different versions.
    virtual void verify() {}
    // Whether a weight is stored as 8-bit integers with a scale for each row, its columns multiplied by an
    // input scale beforehand or not.
    virtual bool has_codes(int32_t, bool /* input_scaled */) { return false; }
    // Of a weight that has: rows row_begin .. row_end as they are stored, the integers as numbers [rows,
    // cols] and the scales [rows]. Throws as read() does; safe to call from several threads.
    virtual void read_codes(int32_t, int64_t, int64_t, float* /* codes */, float* /* scales */) {}
    // The weight's rows beyond load time; null when the source has none.
    virtual std::unique_ptr<RowSource> keep(int32_t) { return nullptr; }
    // What a weight is made of: weights of equal text have equal numbers. Empty where that is not known.
    virtual std::string identity(int32_t) { return ""; }
    // The file that it is from, the last one of several, by order of first use: what is of one file is given
    // back together.
    virtual int32_t file(int32_t) { return 0; }
};

// Asked at every op boundary of a forward.
class Control {
public:
    virtual ~Control() = default;
    // May run something more urgent on this thread before it returns. Never throws.
    virtual void at_op_boundary() = 0;
    // True when nobody waits for this forward any more: run() then throws ABORTED as soon as it can.
    virtual bool cancelled() const = 0;
    // True while the thread may wait for a device by polling: an interactive forward, and no work of the
    // processors waits for a thread.
    virtual bool may_poll() const { return false; }
};

// Memory that one forward needs; reused by the next. Made by LoadedModel::make_workspace, used by one forward
// at a time.
class Workspace {
public:
    virtual ~Workspace() = default;
    virtual int64_t bytes() const = 0;
};

class LoadedModel {
public:
    virtual ~LoadedModel() = default;
    virtual std::unique_ptr<Workspace> make_workspace() const = 0;
    // Computes the wanted outputs. The batch was checked by the engine (ids in range, lengths within
    // max_seq_len). Returns or throws only when nothing uses the workspace any more, on the device neither:
    // after ABORTED the next forward takes it, after any other error it is freed.
    virtual void run(const Batch& batch, const std::vector<Output>& outputs, Workspace& workspace, Team& team,
                     Control& control) const = 0;
    virtual int64_t weight_bytes() const = 0;
    // Of them those that other loaded models hold as well.
    virtual int64_t shared_bytes() const { return 0; }
    // Tokens that one forward takes at best; batches are packed up to it.
    virtual int64_t preferred_tokens() const = 0;
    // "cpu", "cuda:N".
    virtual std::string device() const = 0;
    // False while a forward would wait, because the weights are being changed. Whoever changes them wakes the
    // pool afterwards.
    virtual bool may_run() const { return true; }
    // True when forwards run on the process's CPU pool; false when the device does the work and a thread only
    // waits.
    virtual bool uses_cpu_pool() const = 0;
};

class WeightCache;

struct LoadOptions {
    std::string device = "cpu";  // "cpu", "cuda", "cuda:N"
    std::string precision = "fp32";
    WeightCache* cache = nullptr;  // null: none; must outlive the call
};

}  // namespace bertha
