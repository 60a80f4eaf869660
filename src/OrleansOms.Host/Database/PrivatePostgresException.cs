namespace OrleansOms.Host.Database;

/// <summary>The private PostgreSQL cannot be had. The message says why and what to do, for the person at the console.</summary>
public sealed class PrivatePostgresException(string message, Exception? cause = null) : Exception(message, cause);
