namespace Bulwark.Training;
