// A team for long loops of bulk work: its caller makes way for what is urgent between any two units.
#pragma once

#include "engine/backend.h"
#include "engine/pool/pool.h"

namespace bertha {

class YieldingTeam final : public Team {
public:
    using Team::run;
    YieldingTeam(int size, Control& control) : team_(size), control_(control) {}
    int size() const override { return team_.size(); }
    void run(int64_t units, Body body, void* context) override {
        team_.run(units, [&](int64_t unit, int member) {
            if (member == 0) control_.at_op_boundary();
            body(context, unit, member);
        });
    }

private:
    PoolTeam team_;
    Control& control_;
};

}  // namespace bertha
