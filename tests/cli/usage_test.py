import unittest

from program import ProgramTest, needs_mpi


class Usage(ProgramTest):
    def refused(self, text, *words, **how):
        ended = self.fail_with(2, text, *words, cwd=self.folder, **how)
        self.assertEqual(ended.stdout, "")
        self.assertEqual(self.files(), [])

    def test_an_unknown_option_is_told_the_nearest(self):
        self.refused("unknown option --epoch; did you mean --epochs? See lockstep train --help",
                     "train", "--epoch", "3")

    def test_an_unknown_command_is_told_the_nearest(self):
        self.refused("unknown command evalute; did you mean evaluate?", "evalute")

    def test_options_of_later_versions_are_unknown(self):
        self.refused("unknown option --tensorboard", "train", "--tensorboard", "yes")

    def test_a_value_out_of_range_is_told_the_range(self):
        self.refused("--hidden 2000: must be a whole number from 1 to 1024",
                     "train", "--hidden", "2000")
        self.refused("--shards 200: must be at most --batch-size, 128",
                     "train", "--shards", "200")

    def test_an_unknown_value_is_told_the_known_ones(self):
        self.refused("--decay linear: must be constant or cosine", "train", "--decay", "linear")

    def test_more_ranks_than_shards(self):
        self.refused("--ranks 5: must be at most --shards, 4",
                     "parity", "--data", "synthetic", "--shards", "4", "--ranks", "1,5")

    def test_an_instruction_set_of_another_machine(self):
        import platform
        foreign = "avx2" if platform.machine() == "aarch64" else "neon"
        self.refused(foreign, "train", "--data", "synthetic", "--engine", "simd", "--isa", foreign)

    def test_a_gpu_where_none_answers(self):
        mask = {"CUDA_VISIBLE_DEVICES": ""}
        self.refused("--device cuda on rank 0: ", "train", "--data", "synthetic", "--device", "cuda",
                     mca=mask)
        self.refused("--comm nccl on rank 0: ", "train", "--data", "synthetic", "--comm", "nccl",
                     mca=mask)

    def test_options_of_cpu_and_gpu_at_once(self):
        self.refused("--device cuda: --engine simd computes on the CPU", "train", "--data",
                     "synthetic", "--device", "cuda", "--engine", "simd")

    def test_a_command_without_what_it_needs(self):
        self.refused("--model", "evaluate", "--data", "synthetic")
        self.refused("no image given", "predict", "--model", "x")
        self.refused("verify, info, synthetic", "data")
        self.refused("no folder given", "data", "synthetic")

    def test_a_missing_config_file(self):
        self.refused("missing.conf: cannot be read", "train", "--config", "missing.conf")

    @needs_mpi
    def test_several_ranks_say_it_once(self):
        self.refused("unknown option --epoch", "train", "--epoch", "3", ranks=3)

    @needs_mpi
    def test_a_gpu_where_none_answers_on_several_ranks(self):
        self.refused("--device cuda on rank 0: ", "train", "--data", "synthetic", "--device", "cuda",
                     ranks=3, mca={"CUDA_VISIBLE_DEVICES": ""})

    @needs_mpi
    def test_more_mpi_ranks_than_shards(self):
        self.refused("3 ranks are more than the 2 shards", "train", "--data", "synthetic",
                     "--shards", "2", ranks=3)

    @needs_mpi
    def test_parity_on_more_ranks_than_were_started(self):
        self.refused("only 2 were started", "parity", "--data", "synthetic", "--ranks", "1,3",
                     ranks=2)


class ConfigFile(ProgramTest):
    def test_a_bad_line_is_named(self):
        config = self.folder / "run.conf"
        config.write_text("# a run\nepochs = 1\nhiden = 8\n")
        self.fail_with(2, f"{config}:3: unknown option hiden; did you mean hidden?",
                       "train", "--config", config)
        config.write_text("epochs\n")
        self.fail_with(2, f"{config}:1: expected 'name = value'", "train", "--config", config)


if __name__ == "__main__":
    unittest.main()
