using Azure.Core;
using Azure.Core.Pipeline;

namespace SignalHarvester.Backup.ObjectStorage.Azure;

/// <summary>Retries transient failures, with growing pauses and jitter. An untrusted connection is not retried.</summary>
/// <param name="most">The number of retries.</param>
internal sealed class AzureRetry(int most)
    : RetryPolicy(most, DelayStrategy.CreateExponentialDelayStrategy(TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(30)))
{
    /// <inheritdoc/>
    protected override bool ShouldRetry(HttpMessage message, Exception? exception) =>
        !AzureFault.IsUntrusted(exception) && base.ShouldRetry(message, exception);

    /// <inheritdoc/>
    protected override ValueTask<bool> ShouldRetryAsync(HttpMessage message, Exception? exception) =>
        AzureFault.IsUntrusted(exception) ? ValueTask.FromResult(false) : base.ShouldRetryAsync(message, exception);
}
