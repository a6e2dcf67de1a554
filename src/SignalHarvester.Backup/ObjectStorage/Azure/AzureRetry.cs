using Azure.Core;
using Azure.Core.Pipeline;

namespace SignalHarvester.Backup.ObjectStorage.Azure;

/// <summary>Tries again what is transient, with growing pauses and jitter. A connection that cannot be trusted is not.</summary>
/// <param name="most">How often it tries again.</param>
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
