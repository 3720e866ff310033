"""What notebooks call: functions of the public interface that need more than one package."""
