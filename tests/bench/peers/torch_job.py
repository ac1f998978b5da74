"""What the PyTorch peers share: the job's bytes as tensors, a batch, Adam, the test set."""
import torch

from job import BETA1, BETA2, EPSILON, LEARNING_RATE


class TorchJob:
    def __init__(self, job, device="cpu"):
        self.images = torch.from_numpy(job.images.copy()).to(device)
        self.labels = torch.from_numpy(job.labels).long().to(device)
        self.test_images = torch.from_numpy(job.test_images.copy()).to(device)
        self.test_labels = torch.from_numpy(job.test_labels).long().to(device)

    def batch(self, pictures):
        return rows_of(self.images[pictures]), self.labels[pictures]

    def correct(self, logits_of):
        with torch.no_grad():
            found = logits_of(rows_of(self.test_images)).argmax(1)
        return int((found == self.test_labels).sum())


def rows_of(images):
    """[time][sample][column], in fp32."""
    return images.float().div_(255).transpose(0, 1)


def adam(parameters, **more):
    """PyTorch's form: TensorFlow's with sqrt(1 - beta2^t) of its epsilon, which costs the same."""
    return torch.optim.Adam(parameters, LEARNING_RATE, (BETA1, BETA2), EPSILON, fused=True, **more)
