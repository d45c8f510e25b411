using System.Text;
using TokenFactory.Inference.Dispatch.Replicas;
using Xunit;

namespace TokenFactory.Inference.Tests.Dispatch.Replicas;

public sealed class EngineReportTests
{
    [Fact]
    public void vLLMs_page_is_read_and_what_several_engines_say_is_added_up() => Assert.Equal(
        new EngineReport(10, 2.5, 0.75),
        Read("""
            # HELP vllm:num_requests_running Number of requests in model execution batches.
            # TYPE vllm:num_requests_running gauge
            vllm:num_requests_running{engine="0",model_name="a } b"} 3.0
            vllm:num_requests_running{engine="1",model_name="a } b"} 7.0
            vllm:num_requests_waiting{engine="0"} 2.5
            vllm:num_requests_waiting_by_reason{reason="capacity"} 99
            vllm:kv_cache_usage_perc{engine="0"} 0.25
            vllm:kv_cache_usage_perc{engine="1"} 7.5e-01
            vllm:request_success_total 1000
            """));

    [Fact]
    public void Older_vLLM_and_SGLang_are_read_too()
    {
        Assert.Equal(new EngineReport(1, 0, 0.5), Read("vllm:num_requests_running 1\r\nvllm:num_requests_waiting 0\r\nvllm:gpu_cache_usage_perc 0.5\r\n"));
        Assert.Equal(
            new EngineReport(162, 2826, 0.28),
            Read("sglang:num_running_reqs{model_name=\"llama\"} 162.0\nsglang:num_queue_reqs{model_name=\"llama\"} 2826.0\nsglang:token_usage{model_name=\"llama\"} 0.28"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>It works!</html>")]
    [InlineData("vllm:num_requests_running")]
    [InlineData("vllm:num_requests_running NaN\nvllm:num_requests_waiting +Inf")]
    [InlineData("vllm:num_requests_running -1\nvllm:num_requests_waiting{ 1")]
    [InlineData("process_open_fds 12")]
    public void What_says_nothing_of_requests_is_no_report(string page) => Assert.Null(Read(page));

    [Theory]
    [InlineData(3, 2, 0.5, 5)]
    [InlineData(3, 2, 0.99, 6)]
    public void Load_is_what_runs_and_waits_and_a_full_cache(double running, double waiting, double cache, double load) =>
        Assert.Equal(load, new EngineReport(running, waiting, cache).Load);

    private static EngineReport? Read(string page) => EngineReport.Read(Encoding.UTF8.GetBytes(page));
}
